package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/statesrv"
)

// accounts reads the environment's accounts from a data directory that nobody else can exchange.
func (o *options) accounts() (*server.Accounts, error) {
	if err := host.CheckDirectory(o.dataDir); err != nil {
		return nil, err
	}
	return server.LoadAccounts(statesrv.TrustFile(o.dataDir))
}

func (o *options) natsConfigCommand() *cobra.Command {
	var listen, store, dir string
	cmd := &cobra.Command{
		Use: "nats-config", Short: "Print the configuration of a separate nats-server for this environment.", Args: noArgs,
		Long: `Print a nats-server configuration with the environment's accounts, durability and
encryption, for environments that do not use the NATS server inside jujud. It holds no
secret. The certificate and the key that it names are written by jujud nats-certificate,
or are of your own authority, if juju bootstrap was given that one.`,
		Example: "  jujud nats-config --data-dir /var/lib/juju --listen 0.0.0.0:4222 --store /var/lib/nats --tls /etc/nats",
		RunE: func(cmd *cobra.Command, _ []string) error {
			trust, err := o.accounts()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), trust.NATSConfig(listen, store, dir))
			return err
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:4222", "HOST:PORT to listen on")
	cmd.Flags().StringVar(&store, "store", "/var/lib/nats", "directory of the streams")
	cmd.Flags().StringVar(&dir, "tls", "/etc/nats", "directory of "+server.NATSCertificate+" and "+server.NATSKey)
	return cmd
}

func (o *options) natsCertificateCommand() *cobra.Command {
	var dir string
	var names []string
	cmd := &cobra.Command{
		Use: "nats-certificate", Short: "Write a certificate and its key for a separate nats-server.", Args: noArgs,
		Long: `Write a certificate, signed by the environment's own authority, and its key, for a separate
nats-server. It holds for 90 days. Write another one before that, from a timer, say, and
let the server read it: nats-server --signal reload. Nobody who is connected notices. The
key is a secret.`,
		Example: "  jujud nats-certificate --data-dir /var/lib/juju --tls /etc/nats --name nats.example.com",
		RunE: func(_ *cobra.Command, _ []string) error {
			trust, err := o.accounts()
			if err != nil {
				return err
			}
			if len(names) == 0 {
				if names, err = natsNames(o.dataDir); err != nil {
					return err
				}
			}
			return trust.SaveNATSCertificate(dir, names, time.Now())
		},
	}
	cmd.Flags().StringVar(&dir, "tls", "/etc/nats", "directory for "+server.NATSCertificate+" and "+server.NATSKey)
	cmd.Flags().StringSliceVar(&names, "name", nil, "names and addresses under which it is reached (default: the one of --nats-url)")
	return cmd
}

// natsNames are the names of the separate nats-server that the state server is configured with.
func natsNames(dataDir string) ([]string, error) {
	file, err := statesrv.LoadFileConfig(dataDir)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(file.NATSURL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("this environment's NATS is the one inside jujud, which signs for itself; nothing was written; name the server: --name HOST")
	}
	return []string{u.Hostname()}, nil
}

func (o *options) authorityCommand() *cobra.Command {
	var add, retire bool
	cmd := &cobra.Command{
		Use: "authority", Short: "Print the certificates of the environment's authorities, or change them.", Args: noArgs,
		Long: `Print the certificates of the environment's authorities: what machines and clients pin.
The first of them signs the certificates of NATS. An authority holds for ten years; the
state server warns a year before its end. Another one takes over in three steps:

  1. jujud authority --add makes it. Put all that this prints into
     agents/machine-0/ca.pem of machine 0's data directory, and into credentials/NAME.ca.pem
     in JUJU_DATA of every client. Machines are told when they renew their credentials,
     after half of agent-credentials-life, or with jujud renew. It is read at every
     connection; nothing is restarted.
  2. jujud authority --retire takes the old one out. Restart the state server; with a
     separate nats-server, write its certificate anew. From now on the new one signs.
  3. Put what is printed now into the same files.

Tokens that were not used before step 2 are refused after it; juju add-machine makes others.`,
		Example: "  jujud authority --data-dir /var/lib/juju\n  jujud authority --data-dir /var/lib/juju --add",
		RunE: func(cmd *cobra.Command, _ []string) error {
			trust, err := o.accounts()
			if err != nil {
				return err
			}
			switch {
			case add:
				err = trust.AddAuthority(time.Now())
			case retire:
				err = trust.RetireAuthority()
			}
			if err == nil && (add || retire) {
				err = trust.Save(statesrv.TrustFile(o.dataDir))
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), trust.Certificates())
			return err
		},
	}
	cmd.Flags().BoolVar(&add, "add", false, "make another authority, which is believed beside the old one")
	cmd.Flags().BoolVar(&retire, "retire", false, "take the oldest authority out; the next one signs")
	cmd.MarkFlagsMutuallyExclusive("add", "retire")
	return cmd
}
