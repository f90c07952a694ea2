package pipe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Parent is the launcher as the agent sees it. The methods that say something may be called
// concurrently; Listen runs once.
type Parent struct {
	mu  sync.Mutex // held while a line is written, so that lines are never mixed
	out *os.File
	in  *os.File
	// Committed receives the id of an order whose new version is kept. The agent must
	// receive it: Listen waits until it does.
	Committed chan string
	// Stopped is closed when the agent must end: the launcher said so, or is gone.
	Stopped chan struct{}
	// Keep says whether to keep the workloads running. It holds once Stopped is closed, and
	// must not be read before.
	Keep bool
}

// Open takes the pipes that the launcher gave this process and says hello. It fails in a
// process that no launcher started. The pipes are closed in every program that this process
// executes, so no workload can hold them open.
func Open() (*Parent, error) {
	unix.CloseOnExec(FDToLauncher)
	unix.CloseOnExec(FDFromLauncher)
	return newParent(os.NewFile(FDToLauncher, "to launcher"), os.NewFile(FDFromLauncher, "from launcher"))
}

func newParent(out, in *os.File) (*Parent, error) {
	p := &Parent{out: out, in: in, Committed: make(chan string, 1), Stopped: make(chan struct{})}
	if err := p.say(Hello); err != nil {
		return nil, fmt.Errorf("greet the launcher: %w; this command is started by `jujud machine` only", err)
	}
	return p, nil
}

func (p *Parent) say(line string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := fmt.Fprintln(p.out, line)
	return err
}

// Ready says that the agent has started and works.
func (p *Parent) Ready() error { return p.say(Ready) }

// Alive says that the agent's main loop runs. Only that loop may say it: from anywhere else it
// would hide that the loop hangs.
func (p *Parent) Alive() error { return p.say(Alive) }

// Healthy says that the version on trial for that order has proved itself.
func (p *Parent) Healthy(order string) error { return p.say(Healthy + " " + order) }

// Restart asks the launcher to start the agent again once this process has ended.
func (p *Parent) Restart() error { return p.say(Restart) }

// Listen handles what the launcher says, until the launcher says stop or ctx ends. If the pipe
// closes, the launcher is gone: then the agent must end, too, and keeps its workloads running
// for the next agent.
func (p *Parent) Listen(ctx context.Context) error {
	lines := bufio.NewScanner(p.in)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case Committed:
			select {
			case p.Committed <- rest:
			case <-ctx.Done():
				return ctx.Err()
			}
		case Stop:
			p.Keep = rest == WorkloadsKeep
			close(p.Stopped)
			return nil
		}
	}
	p.Keep = true
	close(p.Stopped)
	return errors.Join(errors.New("the launcher is gone"), lines.Err())
}
