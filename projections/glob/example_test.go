package glob_test

import (
	"fmt"

	"github.com/jujube-project/jujube/projections/glob"
)

func ExampleMatch() {
	for _, name := range []string{"order.issued", "orders", "machine.lost"} {
		fmt.Println(name, glob.Match("order.*", name))
	}
	// Output:
	// order.issued true
	// orders false
	// machine.lost false
}
