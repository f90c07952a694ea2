package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// starts is how often a program is started. The median of the times is shown.
const starts = 31

// programSizes measures juju and jujud as packages hold them: their sizes, and how long juju takes
// to start. With -base the same is done with that commit, in the same run.
func programSizes(ctx context.Context, dir string, s sizes) (figures []figure, err error) {
	trees := []string{"."}
	if s.base != "" {
		tree := filepath.Join(dir, "base")
		if out, err := exec.CommandContext(ctx, "git", "worktree", "add", "--detach", tree, s.base).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("check out %s: %w\n%s", s.base, err, out)
		}
		defer func() {
			err = errors.Join(err, exec.CommandContext(context.WithoutCancel(ctx), "git", "worktree", "remove", "--force", tree).Run())
		}()
		trees = append(trees, tree)
	}
	programs := make([]string, len(trees)) // directories
	for i, tree := range trees {
		programs[i] = filepath.Join(dir, fmt.Sprint("programs-", i))
		if err := buildPackaged(ctx, tree, programs[i]); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"juju", "jujud"} {
		f, err := sizeOf(name, programs, s.base)
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	f, err := startOf(ctx, programs, s.base)
	return append(figures, f), err
}

// buildPackaged builds both programs as `make build` does.
func buildPackaged(ctx context.Context, tree, to string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "packaged", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=",
		"-o", to+"/", "./cmd/juju", "./cmd/jujud")
	cmd.Dir, cmd.Env = tree, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build juju and jujud: %w\n%s", err, out)
	}
	return nil
}

// sizeOf compares the sizes of a program.
func sizeOf(name string, programs []string, base string) (figure, error) {
	f := figure{what: "`" + name + "` as packaged, stripped", target: "stated"}
	var bytes []int64
	for _, dir := range programs {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return f, err
		}
		bytes = append(bytes, info.Size())
	}
	f.ours = fmt.Sprintf("%.1f MB", float64(bytes[0])/1e6)
	if base != "" {
		f.yardstick = fmt.Sprintf("%s: %.1f MB", base, float64(bytes[1])/1e6)
		f.ratio = fmt.Sprintf("%.2f ×", float64(bytes[0])/float64(bytes[1]))
	}
	if name == "juju" {
		f.target = "half of what it was at 454b303"
	}
	return f, nil
}

// startOf compares how long `juju version` takes. It runs the programs in turn, so that a busy host
// slows all of them down.
func startOf(ctx context.Context, programs []string, base string) (figure, error) {
	f := figure{what: fmt.Sprintf("`juju version`, start to end, median of %d", starts), target: "stated"}
	took := make([][]time.Duration, len(programs))
	for range starts {
		for i, dir := range programs {
			began := time.Now()
			if err := exec.CommandContext(ctx, filepath.Join(dir, "juju"), "version").Run(); err != nil {
				return f, fmt.Errorf("start juju: %w", err)
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	f.ours = ms(median(took[0]))
	if base != "" {
		f.yardstick = strings.Join([]string{base, ms(median(took[1]))}, ": ")
		f.ratio = fmt.Sprintf("%.2f ×", ratio(took[0], took[1]))
	}
	return f, nil
}
