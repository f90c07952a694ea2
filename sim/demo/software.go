package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

const modulePath = "github.com/jujube-project/jujube"

// software makes jujud of any version. With a Go toolchain and the source, it builds a jujud, and
// the linker stamps the version. Without them, it copies the jujud that is installed and puts a
// FORCE-VERSION file beside it.
type software struct {
	tree   string // directory of the tree of tools: archives go to TREE/tools/released
	source string // directory of this module; empty: there is no toolchain or no source
	jujud  string // the program that is packed when there is no source
}

// findSoftware finds out how jujud can be made on this host.
func findSoftware(ctx context.Context, tree string) (*software, error) {
	s := &software{tree: tree}
	if out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", modulePath).Output(); err == nil {
		if dir := strings.TrimSpace(string(out)); executableSource(dir) {
			s.source = dir
			return s, nil
		}
	}
	jujud, err := local.Find("")
	s.jujud = string(jujud)
	if err != nil {
		return nil, app.Fail(fmt.Errorf("the demo needs jujud: %w", err), "Nothing was started.",
			"run it in the module's directory with Go installed, or put jujud beside juju (make build)")
	}
	return s, nil
}

func executableSource(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "cmd", "jujud", "main.go"))
	return dir != "" && err == nil
}

// how says in words how the versions of the demo are made.
func (s *software) how() string {
	if s.source == "" {
		return fmt.Sprintf("%s, packed with FORCE-VERSION files", s.jujud)
	}
	if raceDetector {
		return "real builds, stamped by the linker, with the race detector"
	}
	return "real builds, stamped by the linker"
}

// make puts jujud of a version into dir, and a FORCE-VERSION file if the version is not stamped.
func (s *software) make(ctx context.Context, number, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	exe := filepath.Join(dir, archive.Jujud)
	if s.source == "" {
		b, err := os.ReadFile(s.jujud)
		if err != nil {
			return err
		}
		return errors.Join(os.WriteFile(exe, b, 0o755), os.WriteFile(filepath.Join(dir, archive.ForceVersion), []byte(number+"\n"), 0o644))
	}
	args := []string{"build", "-buildvcs=false", "-ldflags", "-s -w -X " + modulePath + "/events/version.stamp=" + version.Stamp(number), "-o", exe}
	if raceDetector {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/jujud")...)
	cmd.Dir = s.source
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build jujud %s: %w\n%s", number, err, out)
	}
	return nil
}

// greeting is what an agent says to its launcher first (pipe.Hello).
const greeting = "jujube-launcher/1 hello from the agent"

// spoil damages a jujud so that it passes its self-test and fails its trial. It overwrites the
// greeting in the program with one that no launcher knows.
func spoil(dir string) error {
	exe := filepath.Join(dir, archive.Jujud)
	b, err := os.ReadFile(exe)
	if err != nil {
		return err
	}
	good := []byte(greeting)
	if !bytes.Contains(b, good) {
		return fmt.Errorf("spoil %s: it does not hold the agent's greeting", exe)
	}
	bad := bytes.Repeat([]byte("?"), len(good))
	return os.WriteFile(exe, bytes.ReplaceAll(b, good, bad), 0o755)
}

// publish packs the jujud in dir into the tree and returns the archive's name.
func (s *software) publish(number, dir string) (name string, err error) {
	n, err := version.Parse(number)
	if err != nil {
		return "", err
	}
	series, arch := host.Platform()
	name = "juju-" + version.Binary{Number: n, Series: series, Arch: arch}.String() + ".tgz"
	released := filepath.Join(s.tree, "tools", "released")
	if err := os.MkdirAll(released, 0o755); err != nil {
		return "", err
	}
	out, err := os.Create(filepath.Join(released, name))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	var files []archive.File
	for _, part := range []string{archive.Jujud, archive.ForceVersion} {
		b, err := os.ReadFile(filepath.Join(dir, part))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		files = append(files, archive.File{Name: part, Size: int64(len(b)), Body: bytes.NewReader(b)})
	}
	return name, archive.PackAt(packLevel(), out, files...)
}

// packLevel is the level of compression. With the race detector archives are not compressed,
// because packing and unpacking would take ten times as long.
func packLevel() int {
	if raceDetector {
		return gzip.NoCompression
	}
	return gzip.BestSpeed
}
