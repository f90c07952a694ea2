// Package launcher is what `jujud machine` is: a small process that starts the real
// agent behind the link, restarts it when it ends or falls silent, and is the only judge
// of a new version on trial. It has no network and does not update itself; its state is
// the journal and the links, and it converges from those alone at every start.
//
// It runs what the link names, else the last good version, else the installed copy, and
// only bytes whose digest it compared. It talks to the agent in the words of package
// pipe, and to systemd, when there is one, by sd_notify.
//
// SIGTERM and SIGINT stop it, and workloads by its policy. SIGHUP, SIGUSR1 and SIGUSR2
// go to the agent, which at SIGHUP starts anew and at SIGUSR1 prints its goroutines.
package launcher
