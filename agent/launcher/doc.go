// Package launcher is what `jujud machine` is: a small process that starts the real agent
// behind the link, restarts it when it ends or falls silent, and is the only judge of a new
// version on trial. The launcher has no network and does not update itself. Its whole state is
// the journal and the link on disk: before every start it brings the two together and goes on
// from there, whatever was cut off before.
//
// The launcher runs the version that the link names, else the last good version, else the
// installed copy. It runs only bytes whose digest it compared. It talks to the agent in the
// words of package pipe, and to systemd, when there is one, by sd_notify.
//
// SIGTERM and SIGINT stop the launcher; Config.Workloads says what becomes of the workloads
// then. SIGHUP, SIGUSR1 and SIGUSR2 go to the agent: at SIGHUP it starts anew, and at SIGUSR1
// it prints its goroutines.
package launcher
