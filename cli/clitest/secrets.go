package clitest

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// secretFiles are the files that hold secrets: nothing else may.
var secretFiles = regexp.MustCompile(`(\.creds|\.creds\.pending|\.nkey|\.join|/trust\.json|/header|\.seed|\.key|/trust/.*|/keys/.*)$`)

// What secrets look like that are no seeds.
var (
	pemRE    = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----`)
	tokensRE = regexp.MustCompile(`(jujube1|jujubehttp1)\.[A-Za-z0-9_-]{40,}`)
)

// secretsIn finds the secrets in a text: seeds, private keys, tokens.
func secretsIn(b []byte) (found []string) {
	found = seedsIn(b)
	if bytes.Contains(b, []byte("PRIVATE KEY")) {
		found = append(found, pemRE.FindAllString(strings.ReplaceAll(string(b), `\n`, "\n"), -1)...) // within JSON, too
	}
	if bytes.Contains(b, []byte("jujube1.")) || bytes.Contains(b, []byte("jujubehttp1.")) {
		found = append(found, tokensRE.FindAllString(string(b), -1)...)
	}
	return found
}

// seedsIn finds the seeds of nkeys: 58 characters of base32, the first an S. Public keys are
// shorter.
func seedsIn(b []byte) (found []string) {
	const length = 58
	run := 0
	for i := 0; i <= len(b); i++ {
		if i < len(b) && (b[i] >= 'A' && b[i] <= 'Z' || b[i] >= '2' && b[i] <= '7') {
			run++
			continue
		}
		if run == length && b[i-length] == 'S' {
			found = append(found, string(b[i-length:i]))
		}
		run = 0
	}
	return found
}

// disguises are the forms in which a secret could be written: the text, the bytes that it encodes,
// and both as base64 and as hex. What base64 makes of some bytes depends on their offset, modulo
// three, in what is encoded; so there are three forms of each.
func disguises(secret string) (forms []string) {
	raws := [][]byte{[]byte(secret)}
	if block, _ := pem.Decode([]byte(secret)); block != nil {
		raws = [][]byte{block.Bytes, block.Bytes[len(block.Bytes)-32:]}
		body := strings.Split(strings.TrimSpace(secret), "\n")
		forms = append(forms, body[1])
	} else if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret); err == nil {
		raws = append(raws, raw[2:34]) // behind two bytes of kind
	}
	for _, raw := range raws {
		forms = append(forms, hex.EncodeToString(raw))
		if len(raw) > 32 { // raw bytes of a key, else it would be found in noise
			forms = append(forms, string(raw))
		}
		for shift := range 3 {
			for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				text := enc.EncodeToString(append(make([]byte, shift), raw...))
				forms = append(forms, text[4:len(text)-4])
			}
		}
	}
	return forms
}

// canaries DIR... collects every secret in the secret files below the directories. It looks for each
// of them, in every disguise, in all other files there, and in the command line and environment of
// every process of this host that mentions one of the directories. It fails if it finds one there,
// and also if it has no secrets to look for.
func canaries(ts *testscript.TestScript, neg bool, dirs []string) {
	if neg || len(dirs) == 0 {
		ts.Fatalf("usage: canaries DIR...")
	}
	secrets, others := map[string]string{}, map[string][]byte{}
	for _, dir := range dirs {
		ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			if filepath.Base(path) == "jujud" { // as it was built
				return nil
			}
			b, err := os.ReadFile(path)
			if os.IsNotExist(err) {
				return nil
			}
			if !secretFiles.MatchString(path) {
				others[path] = b
				return err
			}
			for _, s := range secretsIn(b) {
				secrets[s] = path
			}
			return err
		}))
	}
	for path, b := range processes(ts, dirs) {
		others[path] = b
	}
	kinds := map[string]int{}
	look := needles{}
	for secret, from := range secrets {
		kinds[filepath.Base(from)]++
		for _, form := range disguises(secret) {
			look.add(form, from)
		}
	}
	for path, b := range others {
		if from := look.in(b); from != "" {
			ts.Fatalf("BI-100: a secret of %s is in %s", from, path)
		}
	}
	for path, b := range others { // those that were never in a file
		if found := secretsIn(b); len(found) > 0 {
			ts.Fatalf("BI-100: %s holds a secret that begins with %.12s", path, found[0])
		}
	}
	ts.Logf("%d secrets %v are in none of %d files and processes", len(secrets), kinds, len(others))
	for _, must := range []string{"trust.json", "prod.creds", "agent.creds", "state-server.creds", "machine-1.join", "header"} {
		if kinds[must] == 0 {
			ts.Fatalf("no secret of %s was found: this shows nothing", must)
		}
	}
}

// needles are texts that are looked for all at once. The key is a needle's first four bytes; the
// value is the needle and the file that it is from.
type needles map[[4]byte][][2]string

func (n needles) add(text, from string) {
	key := [4]byte([]byte(text)[:4])
	n[key] = append(n[key], [2]string{text, from})
}

// in gives the file of the first needle that is in b. It is empty if there is none.
func (n needles) in(b []byte) (from string) {
	var begins [1 << 16]bool
	for key := range n {
		begins[uint(key[0])<<8|uint(key[1])] = true
	}
	for i := 0; i+4 <= len(b); i++ {
		if !begins[uint(b[i])<<8|uint(b[i+1])] {
			continue
		}
		for _, needle := range n[[4]byte(b[i:i+4])] {
			if bytes.HasPrefix(b[i:], []byte(needle[0])) {
				return needle[1]
			}
		}
	}
	return ""
}

// processes reads from /proc what everybody, or the same user, can see of each process whose command
// line mentions one of the directories: the command line and the environment.
func processes(ts *testscript.TestScript, dirs []string) map[string][]byte {
	told, seen := map[string][]byte{}, 0
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	ts.Check(err)
	for _, name := range names {
		cmdline, err := os.ReadFile(name)
		if err != nil || !slices.ContainsFunc(dirs, func(d string) bool { return bytes.Contains(cmdline, []byte(ts.MkAbs(d))) }) {
			continue
		}
		seen++
		told[name] = cmdline
		environ := filepath.Join(filepath.Dir(name), "environ")
		if b, err := os.ReadFile(environ); err == nil {
			told[environ] = b
		}
	}
	if seen == 0 {
		ts.Fatalf("no process mentions %s: this shows nothing", strings.Join(dirs, ", "))
	}
	return told
}

// private DIR... fails unless everything below the directories is for its owner alone (0700 and
// 0600), others can at most pass through a directory (0711), and no links are there but those to versions of the tools.
func private(ts *testscript.TestScript, neg bool, dirs []string) {
	if neg || len(dirs) == 0 {
		ts.Fatalf("usage: private DIR...")
	}
	n := 0
	var wrong []string
	for _, dir := range dirs {
		ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if os.IsNotExist(err) || d.Name() == "environment" { // the workload's
				return nil
			}
			n++
			link := d.Type() == fs.ModeSymlink && filepath.Base(filepath.Dir(path)) == "tools"
			others := info.Mode().Perm() & 0o077
			if d.IsDir() && others == 0o011 { // the user of a workload passes to his own directory, and sees nothing
				others = 0
			}
			if !link && (others != 0 || !d.IsDir() && !d.Type().IsRegular()) {
				wrong = append(wrong, fmt.Sprintf("%v %s", info.Mode(), path))
			}
			return err
		}))
	}
	if len(wrong) > 0 || n < 20 {
		ts.Fatalf("of %d files, these are not private:\n%s", n, strings.Join(wrong, "\n"))
	}
	ts.Logf("%d files and directories are private", n)
}
