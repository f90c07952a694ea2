package environment

import (
	"fmt"
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
	_, err := fmt.Fprintf(b.app.Stdout, `# /etc/systemd/system/jujud-machine-0.service
%s
# Start it:
#   systemctl daemon-reload
#   systemctl enable --now jujud-machine-0.service
%s# To start it on another host, copy %s there first, with its owner and modes.
# This client looks for it where "urls:" in %s says.
`, systemdUnit("state-server", string(b.jujud), b.dataDir), nats, b.dataDir, b.app.Store().EnvironmentFile(b.name))
	return err
}

// systemdUnit is the unit file of a machine; role is state-server or machine.
func systemdUnit(role, jujud, dataDir string) string {
	return fmt.Sprintf(`[Unit]
Description=Jujube %[1]s agent
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart=%[2]s %[1]s --data-dir %[3]s
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=2
TimeoutStartSec=300
TimeoutStopSec=60
WatchdogSec=60
KillMode=process
OOMPolicy=continue
LimitNOFILE=1048576
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=%[3]s
NoNewPrivileges=yes
RestrictSUIDSGID=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
MemoryMax=90%%
TasksMax=16384

[Install]
WantedBy=multi-user.target
`, role, jujud, dataDir)
}
