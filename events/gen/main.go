// Command gen writes docs/EVENTS.md from the declarations in package events, and the codes in
// docs/SECURITY.md from its table. It is run in the directory of that package, by go generate.
package main

import (
	"log"
	"os"
	"path/filepath"
)

func main() {
	text, err := generate(".")
	if err == nil {
		err = os.WriteFile(filepath.Join("..", "docs", "EVENTS.md"), text, 0o644)
	}
	if err == nil {
		err = writeCodes(filepath.Join("..", "docs", "SECURITY.md"))
	}
	if err != nil {
		log.Fatal(err)
	}
}

func writeCodes(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := withCodes(string(b))
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
