package hosts

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// Workload answers every line with its PID, until it is killed. It writes its address, and a
// line for each of its starts, into the directory.
func Workload(dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	starts, err := os.OpenFile(filepath.Join(dir, "starts"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(starts, os.Getpid()); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "addr.new"), []byte(l.Addr().String()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "addr.new"), filepath.Join(dir, "addr")); err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			for lines := bufio.NewScanner(c); lines.Scan(); {
				fmt.Println("asked", lines.Text())
				if _, err := fmt.Fprintln(c, os.Getpid()); err != nil {
					return
				}
			}
		}()
	}
}

// Connection is a connection to a Workload. It is never opened again, so that a workload which was
// disturbed is noticed.
type Connection struct {
	dir  string
	conn net.Conn
	in   *bufio.Reader
	pid  string
	lost error
}

// Connect waits for the workload's address and opens the connection.
func Connect(dir string) (*Connection, error) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	late := time.After(time.Minute)
	for {
		if addr, err := os.ReadFile(filepath.Join(dir, "addr")); err == nil {
			conn, err := net.Dial("tcp", string(addr))
			if err != nil {
				return nil, err
			}
			w := &Connection{dir: dir, conn: conn, in: bufio.NewReader(conn)}
			return w, w.Ask()
		}
		select {
		case <-look.C:
		case <-late:
			return nil, errors.New("the workload does not start")
		}
	}
}

// Ask asks over the connection. It returns an error if the connection is broken or another process
// answers than before. After the first error every Ask returns that error.
func (w *Connection) Ask() error {
	if w.lost != nil {
		return w.lost
	}
	err := w.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if err == nil {
		_, err = io.WriteString(w.conn, "who\n")
	}
	answer := ""
	if err == nil {
		answer, err = w.in.ReadString('\n')
	}
	if w.pid == "" {
		w.pid = answer
	}
	if err == nil && answer != w.pid {
		err = fmt.Errorf("%s answers instead of %s", strings.TrimSpace(answer), strings.TrimSpace(w.pid))
	}
	w.lost = err
	return err
}

// Restarts is how often the workload was started again after its first start.
func (w *Connection) Restarts() int {
	b, err := os.ReadFile(filepath.Join(w.dir, "starts"))
	if err != nil {
		return 0
	}
	return strings.Count(string(b), "\n") - 1
}

// Close closes the connection.
func (w *Connection) Close() { _ = w.conn.Close() }

// Me is the user who runs this. A workload that runs as him can read what lies in his directories.
func Me() string {
	me, err := user.Current()
	if err != nil {
		return "root"
	}
	return me.Username
}
