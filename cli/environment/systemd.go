package environment

import (
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/docs/systemd"
)

func (b *bootstrap) printSystemd() error {
	var nats string
	if b.natsURL != "" {
		nats = fmt.Sprintf(`# Before that, your NATS server must know the environment's keys; its configuration:
#   %[1]s nats-config --data-dir %[2]s --listen HOST:PORT --store DIR --tls DIR
`, b.jujud, b.dataDir)
		if b.natsCA == "" {
			nats += fmt.Sprintf(`# and its certificate, for 90 days, before the end of which another one is written:
#   %[1]s nats-certificate --data-dir %[2]s --tls DIR
`, b.jujud, b.dataDir)
		}
	}
	unit, before := systemd.StateServer(string(b.jujud), b.dataDir)
	_, err := fmt.Fprintf(b.app.Stdout, `# /etc/systemd/system/jujud-machine-0.service
%s
# Start it, as root:
#   %s
#   systemctl daemon-reload
#   systemctl enable --now jujud-machine-0.service
%s# To start it on another host, copy %s there first, with its owner and modes.
# This client looks for it where "urls:" in %s says.
`, unit, strings.Join(before, "\n#   "), nats, b.dataDir, b.app.Store().EnvironmentFile(b.name))
	return err
}
