package install_test

import (
	"errors"
	"fmt"
	"os"

	"github.com/jujube-project/jujube/agent/install"
)

// What a start finds in the journal is what the last write that returned left there. A
// journal that was damaged is told from one that is missing.
func Example() {
	dir, err := os.MkdirTemp("", "install")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	l := install.Layout{Dir: dir, Machine: "3"}
	fmt.Println("prepare:", l.Prepare())

	j, err := l.ReadJournal()
	fmt.Printf("a new machine has the phase %q, %v\n", j.Phase, err)

	j.Good = "1.24.0-trusty-amd64"
	fmt.Println("write:", l.WriteJournal(j))
	j, err = l.ReadJournal()
	fmt.Printf("good is %s, %v\n", j.Good, err)

	if err := os.WriteFile(l.JournalFile(), []byte("{"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	_, err = l.ReadJournal()
	fmt.Println("damaged:", errors.Is(err, install.ErrJournal))
	// Output:
	// prepare: <nil>
	// a new machine has the phase "", <nil>
	// write: <nil>
	// good is 1.24.0-trusty-amd64, <nil>
	// damaged: true
}
