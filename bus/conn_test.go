package bus_test

import (
	"sync"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
)

// Several parts of a program may close the same connection, at once or one after another.
func TestCloseIsIdempotent(t *testing.T) {
	b := bustest.Start(t)
	conn := b.With(bus.ConnConfig{Credentials: operatorCredentials(t, b.Accounts)})
	closed := make(chan struct{})
	go func() {
		var all sync.WaitGroup
		for range 8 {
			all.Go(conn.Close)
		}
		all.Wait()
		conn.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Fatal("one of them does not return")
	}
	if conn.Connected() {
		t.Error("it is connected all the same")
	}
}
