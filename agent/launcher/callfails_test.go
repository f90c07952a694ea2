package launcher_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/jujube-project/jujube/agent/install/crashfs"
)

// fault makes calls on a disk fail: only the n-th, or the n-th and all later ones that change
// something.
type fault struct {
	n    int
	on   bool // until it is set back
	err  error
	hits int
}

func (f *fault) before(c crashfs.Call) (skip bool, err error) {
	reads := strings.Contains("open read readlink kind seek close free read dir", c.Op)
	if c.N < f.n || f.n == 0 || c.N > f.n && (!f.on || reads) {
		return false, nil
	}
	f.hits++
	return false, f.err
}

// upgraded is a machine that runs the second version, on a disk where nothing has failed.
func upgraded(t *testing.T) *cutHost {
	t.Helper()
	h := newHost(t, crashfs.Ext4)
	check(t, h.live())
	h.give(v1, v2)
	check(t, h.live())
	return h.on(h.disk.Clone()) // a clone counts its calls from 1
}

// Whichever call fails in an upgrade, once or from then on: at every moment, what lies on the disk
// can be run, also after a power cut. When the disk works again, the machine comes to the ordered
// version, by itself or with one more order.
func TestEveryCallCanFail(t *testing.T) {
	settled := upgraded(t)
	for _, c := range []fault{{err: syscall.EIO}, {err: syscall.ENOSPC}, {err: syscall.ENOSPC, on: true}, {err: syscall.EROFS, on: true}} {
		name := fmt.Sprintf("%v, sticky %v", c.err, c.on)
		n, again := 1, 0
		for ; ; n++ {
			h := settled.on(settled.disk.Clone())
			f := c
			f.n = n
			h.disk.Before = f.before
			h.give(v2, v3)
			err := h.live()
			h.disk.Before = nil
			if f.hits == 0 {
				check(t, err, h.settled(), h.right())
				break
			}
			if err := brokenNow(h); err != nil {
				t.Fatalf("%s: call %d: %v\n%s", name, n, err, h.disk.Dump())
			}
			ordered, err := comesRight(h)
			if err != nil {
				t.Fatalf("%s: call %d: %v\n%s", name, n, err, h.disk.Dump())
			}
			again += ordered
		}
		t.Logf("%s: at each of %d calls: no brick; %d needed another order", name, n-1, again)
		if n < 100 {
			t.Errorf("%s: the upgrade has only %d calls", name, n)
		}
	}
}

// brokenNow says what is wrong with the disk now, or after a power cut now.
func brokenNow(h *cutHost) error {
	if err := h.damage(); err != nil {
		return err
	}
	for disk := range h.disk.States() {
		if err := h.on(disk).damage(); err != nil {
			return fmt.Errorf("after a power cut: %w\n%s", err, disk.Dump())
		}
	}
	return nil
}

// comesRight lets the machine start on a disk that works, and orders the version again if
// the first order has failed.
func comesRight(h *cutHost) (ordered int, err error) {
	if err := h.live(); err != nil {
		return 0, err
	}
	if err := h.settled(); err != nil {
		return 0, err
	}
	if h.right() != nil {
		ordered++
		h.give(v2, v3)
		if err := h.live(); err != nil {
			return ordered, err
		}
	}
	if err := h.settled(); err != nil {
		return ordered, err
	}
	return ordered, h.right()
}
