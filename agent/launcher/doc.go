// Package launcher is what `jujud machine` is: a small process that starts the real
// agent behind the link, restarts it when it ends, and is the only judge of a new
// version on trial. It has no network and does not update itself; its state is the
// journal and the links, and it converges from those alone at every start.
//
// It talks to the agent over two pipes, in lines of words (see protocol.go), and to
// systemd, when there is one, by sd_notify. As a child subreaper it also inherits the
// workloads of an agent that ended, so that they live on until the next agent adopts
// them.
package launcher
