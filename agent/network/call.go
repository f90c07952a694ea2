package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// What the agent can ask. The first call is for the keys: in it the network half asks and the
// agent answers, as long as both live.
const (
	doKeys      = "keys"
	doOrders    = "orders"
	doReport    = "report"
	doBeat      = "beat"
	doFetch     = "fetch"
	doConnected = "connected"
	doReach     = "reach"
	doRenew     = "renew"
	doEnrol     = "enrol"
)

// question is the first frame of a call.
type question struct {
	Do      string             `json:"do"`
	Start   *start             `json:"start,omitempty"`
	Record  []byte             `json:"record,omitempty"`
	Version version.Number     `json:"version,omitzero"`
	Log     tree.Head          `json:"log,omitzero"`
	SHA256  string             `json:"sha256,omitempty"`
	Offset  int64              `json:"offset,omitempty"`
	Token   string             `json:"token,omitempty"`
	Facts   *wire.EnrolRequest `json:"facts,omitempty"`
}

// start is what a network half has to know.
type start struct {
	Tag         string   `json:"tag"`
	Environment string   `json:"environment"`
	URLs        []string `json:"urls"`
	PID         int      `json:"pid"` // of the agent
	Key         string   `json:"key"` // the machine's, its public half
	Connect     bool     `json:"connect,omitempty"`
	Debug       bool     `json:"debug,omitempty"`
}

// answer is the last frame of a call.
type answer struct {
	N        int64         `json:"n,omitempty"`
	Yes      bool          `json:"yes,omitempty"`
	Answer   agent.Answer  `json:"answer,omitempty"`
	Enrolled wire.Enrolled `json:"enrolled,omitzero"`
	Error    string        `json:"error,omitempty"`
	Size     bool          `json:"size,omitempty"` // the error is install.ErrSize
}

// maxText is how much of an error crosses.
const maxText = 4000

// failed puts an error into an answer.
func (a answer) failed(err error) answer {
	if err != nil {
		text := err.Error()
		a.Error, a.Size = text[:min(len(text), maxText)], errors.Is(err, install.ErrSize)
	}
	return a
}

// err takes it out.
func (a answer) err() error {
	switch {
	case a.Error == "":
		return nil
	case a.Size:
		return fmt.Errorf("%w: %s", install.ErrSize, a.Error)
	}
	return errors.New(a.Error)
}

// socketpair is two ends of one connection: ours, and a file that is handed over.
func socketpair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "theirs")
	if ours, err = connOf(os.NewFile(uintptr(fds[0]), "ours")); err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return ours, theirs, nil
}

// connOf makes a connection of a socket, and closes the file.
func connOf(f *os.File) (*net.UnixConn, error) {
	c, err := net.FileConn(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(errors.New("it is no socket of this host"), c.Close())
	}
	return u, nil
}

// hand gives a socket over, with one byte.
func hand(control *net.UnixConn, f *os.File) error {
	_, _, err := control.WriteMsgUnix([]byte{0}, unix.UnixRights(int(f.Fd())), nil)
	return errors.Join(err, f.Close())
}

// take takes the next socket that is given over. io.EOF and its like: the agent is gone.
func take(control *net.UnixConn) (*net.UnixConn, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := control.ReadMsgUnix(make([]byte, 1), oob)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, net.ErrClosed
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(errors.New("no socket came"), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.Join(errors.New("no socket came"), err)
	}
	unix.CloseOnExec(fds[0])
	return connOf(os.NewFile(uintptr(fds[0]), "call"))
}

// closing closes a connection when ctx ends; stop frees it, and closes it.
func closing(ctx context.Context, c net.Conn) (stop func()) {
	end := context.AfterFunc(ctx, func() { _ = c.Close() })
	return func() { end(); _ = c.Close() }
}
