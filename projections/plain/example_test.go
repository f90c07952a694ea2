package plain_test

import (
	"fmt"

	"github.com/jujube-project/jujube/projections/plain"
)

// What a host says of itself is printed so that it cannot move a terminal's cursor.
func ExampleText() {
	fmt.Println(plain.Text("web\x1b[2J\r\nroot"))
	// Output: web\x1b[2J\r\nroot
}
