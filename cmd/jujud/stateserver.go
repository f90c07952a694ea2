package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/statesrv"
)

// stateServerRole is a state server that runs in the agent's process.
type stateServerRole struct {
	nats   *server.Server // nil: NATS runs elsewhere
	conn   *bus.Conn
	system *bus.Conn     // tells NATS whose credentials are revoked
	ended  chan struct{} // closed when the state server has ended
	stop   func()
}

// startStateServer starts NATS, unless that runs elsewhere, and then the state server. It waits
// until the state server leads for the first time, but for leadTimeout at most: another one may
// lead. The caller calls stop.
//
// The state server does not end with ctx but with stop, so that the agent of this process can
// end first and still report.
func startStateServer(ctx context.Context, dataDir string, conf *agent.Conf, log *slog.Logger) (*stateServerRole, error) {
	debug.SetGCPercent(serverGC)
	file, err := statesrv.LoadFileConfig(dataDir)
	if err != nil {
		return nil, err
	}
	accounts, err := server.LoadAccounts(statesrv.TrustFile(dataDir))
	if err != nil {
		return nil, err
	}
	r := &stateServerRole{ended: make(chan struct{})}
	urls := []string{file.NATSURL}
	if file.NATSURL == "" {
		if r.nats, urls, err = startNATS(dataDir, &file, accounts, log); err != nil {
			return nil, err
		}
	}
	if err := remember(dataDir, file, conf, urls); err != nil {
		r.closeNATS()
		return nil, err
	}
	srv, err := r.connect(ctx, dataDir, *conf, file, accounts, urls, log)
	if err != nil {
		r.closeConns()
		r.closeNATS()
		return nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(r.ended)
		if err := srv.Run(running); err != nil {
			log.Error("the state server ended", "err", err)
		}
	}()
	r.stop = func() {
		cancel()
		<-r.ended
		r.closeConns()
		r.closeNATS()
	}
	select {
	case <-srv.Ready():
	case <-r.ended:
		r.stop()
		return nil, fmt.Errorf("the state server ended at its start; see above")
	case <-time.After(leadTimeout):
		log.Info("another state server leads; this one stands by")
	case <-ctx.Done():
	}
	return r, nil
}

// serverGC is the GOGC value of a state server. It is lower than Go's 100, which keeps the memory
// smaller while archives pass through.
const serverGC = 40

// leadTimeout is how long a start waits until the state server leads.
const leadTimeout = 15 * time.Second

func (r *stateServerRole) closeConns() {
	for _, c := range []*bus.Conn{r.system, r.conn} {
		if c != nil {
			c.Close()
		}
	}
}

// inProcess is the NATS of this process, or nil. A nil *server.Server in an interface would
// not be nil.
func (r *stateServerRole) inProcess() bus.InProcess {
	if r.nats == nil {
		return nil
	}
	return r.nats
}

func (r *stateServerRole) closeNATS() {
	if r.nats != nil {
		r.nats.Close()
	}
}

// startNATS starts the embedded NATS server and returns the URLs under which it is reached. If the
// port was not chosen yet, it writes the one that it got into file.
func startNATS(dataDir string, file *statesrv.FileConfig, accounts *server.Accounts, log *slog.Logger) (*server.Server, []string, error) {
	s, err := server.Start(server.Config{
		Name: file.Name, StoreDir: statesrv.StoreDir(dataDir), Host: file.Host, Port: file.Port, Names: file.Advertise, Accounts: accounts, Logger: log,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%w; if another program has the port, choose another one in server.yaml (port:)", err)
	}
	u, err := url.Parse(s.URL())
	if err == nil {
		file.Port, err = strconv.Atoi(u.Port())
	}
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	hosts := file.Advertise
	if len(hosts) == 0 {
		hosts = []string{u.Hostname()}
	}
	var urls []string
	for _, h := range hosts {
		urls = append(urls, "tls://"+net.JoinHostPort(h, strconv.Itoa(file.Port)))
	}
	return s, urls, nil
}

// remember writes the port of the first start into server.yaml and agent.conf, so that every
// later start uses the same one.
func remember(dataDir string, file statesrv.FileConfig, conf *agent.Conf, urls []string) error {
	if len(conf.APIAddresses) > 0 {
		return nil
	}
	if err := file.Save(dataDir); err != nil {
		return err
	}
	conf.APIAddresses = urls
	return conf.Save()
}

// connect connects to NATS, provisions its streams, and makes the state server. The
// caller closes the connections, also after an error.
func (r *stateServerRole) connect(
	ctx context.Context, dataDir string, conf agent.Conf, file statesrv.FileConfig, accounts *server.Accounts, urls []string, log *slog.Logger,
) (*statesrv.Server, error) {
	site, err := statesrv.LoadSite(dataDir)
	if err != nil {
		return nil, err
	}
	creds, err := bus.LoadCredentials(statesrv.CredentialsFile(dataDir))
	if err != nil {
		return nil, err
	}
	var srv *statesrv.Server
	r.conn, err = bus.Connect(ctx, bus.ConnConfig{
		URLs: urls, Authorities: conf.AuthoritiesFile(), Server: r.inProcess(), Credentials: creds, Name: file.Name, Logger: log,
		OnGarbage: func(subject string, _ error) {
			if srv != nil {
				srv.Garbage(subject)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	if err := server.Provision(ctx, r.conn, max(file.Replicas, 1)); err != nil {
		return nil, err
	}
	tells, err := accounts.SystemCredentials()
	if err == nil {
		r.system, err = bus.Connect(ctx, bus.ConnConfig{
			URLs: urls, Authorities: conf.AuthoritiesFile(), Server: r.inProcess(), Credentials: tells, Name: file.Name + " revoke", Logger: log,
		})
	}
	if err != nil {
		return nil, err
	}
	logKey, err := statesrv.LoadLogKey(dataDir, file.Environment)
	if err != nil {
		return nil, err
	}
	storeDir, reopen := "", (func() error)(nil)
	if r.nats != nil {
		storeDir, reopen = statesrv.StoreDir(dataDir), r.nats.Reopen
	}
	srv, err = statesrv.New(statesrv.Config{
		Dir: statesrv.Dir(dataDir), StoreDir: storeDir, Reopen: reopen, Name: file.Name, Environment: file.Environment,
		Bus: r.conn, System: r.system, Accounts: accounts, LogKey: logKey, Authorities: conf.AuthoritiesFile(), Site: site, URLs: urls,
		Genesis: file.Genesis, HTTPAddr: file.HTTP, HTTPNames: file.Advertise, Now: time.Now, NewID: newID, Logger: log,
	})
	return srv, err
}
