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

// Parent is the launcher, at the agent's end of the pipes.
type Parent struct {
	mu  sync.Mutex
	out *os.File
	in  *os.File
	// Committed receives the id of an order whose new version is kept.
	Committed chan string
	// Stopped is closed when the launcher wants the agent to end; Keep then says
	// whether the workloads are to be kept running.
	Stopped chan struct{}
	Keep    bool
}

// Open takes the pipes that the launcher gave this process and says hello. It fails in a
// process that a launcher did not start. No workload inherits the pipes.
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

// Ready says that the agent works.
func (p *Parent) Ready() error { return p.say(Ready) }

// Alive says that the agent's main loop turns. Only that loop may say it.
func (p *Parent) Alive() error { return p.say(Alive) }

// Healthy says that the version on trial for that order has proved itself.
func (p *Parent) Healthy(order string) error { return p.say(Healthy + " " + order) }

// Restart asks to be started again, once this process has ended.
func (p *Parent) Restart() error { return p.say(Restart) }

// Listen handles what the launcher says until the pipe closes, which means that the
// launcher is gone: then, too, the agent ends, and keeps its workloads for the next one.
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
