// Command badinputs writes into docs/SECURITY.md which tests show each of the hundred bad inputs.
// With -ran FILE, where FILE is the output of `go test -json ./...`, it prints how those tests
// ended instead, and exits with 1 unless each input was shown and did no harm.
package main

//go:generate go run . -root ../..

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	root := flag.String("root", ".", "the module's directory")
	ran := flag.String("ran", "", "print the outcomes in this output of go test -json")
	flag.Parse()
	tests, err := findTests(*root)
	if err != nil {
		log.Fatal(err)
	}
	if *ran != "" {
		report(*ran)
		return
	}
	if err := fillDocument(filepath.Join(*root, "docs", "SECURITY.md"), table(inputs(), tests)); err != nil {
		log.Fatal(err)
	}
}

func report(path string) {
	f, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	outcomes, err := readOutcomes(f)
	if err != nil {
		log.Fatal(err)
	}
	held := true
	for _, in := range inputs() {
		text, ok := outcomes.of(in)
		held = held && ok
		fmt.Printf("%-7s %-22s %s\n", in.id, text, in.name)
	}
	if !held {
		os.Exit(1)
	}
}
