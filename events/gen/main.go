// Command gen writes docs/EVENTS.md from the declarations in package events. It is run
// in the directory of that package, by go generate.
package main

import (
	"log"
	"os"
	"path/filepath"
)

func main() {
	text, err := generate(".")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("..", "docs", "EVENTS.md"), text, 0o644); err != nil {
		log.Fatal(err)
	}
}
