package host_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/host"
)

// The state of a program is replaced while its lock is held.
func Example() {
	dir, err := os.MkdirTemp("", "host")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	unlock, err := host.TryLock(filepath.Join(dir, "lock"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer unlock()
	_, err = host.TryLock(filepath.Join(dir, "lock"))
	fmt.Println("a second one is refused:", errors.Is(err, host.ErrLocked))

	file := filepath.Join(dir, "state")
	fmt.Println(host.WriteFile(file, []byte("1\n")), host.WriteFile(file, []byte("2\n")))
	b, err := host.ReadSecret(file) // only its owner can read what WriteFile wrote
	fmt.Printf("%q %v\n", b, err)
	// Output:
	// a second one is refused: true
	// <nil> <nil>
	// "2\n" <nil>
}

func ExampleBackoff_Pause() {
	b := host.Backoff{Min: 100 * time.Millisecond, Max: time.Second}
	for failed := range 6 {
		fmt.Print(b.Pause(failed), " ")
	}
	// Output: 100ms 200ms 400ms 800ms 1s 1s
}

func ExamplePoke() {
	work, poke := []string{}, host.NewPoke()
	for _, w := range []string{"a", "b", "c"} {
		work = append(work, w) // first what there is to do,
		poke.Send()            // then the poke: the loop that wakes sees it
	}
	<-poke
	fmt.Println(work)
	// Output: [a b c]
}
