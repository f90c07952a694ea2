package tools_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jujube-project/jujube/cli/clitest"
)

// To look at a tree, or ahead, makes no key.
func TestLookingMakesNoKey(t *testing.T) {
	data := t.TempDir()
	for _, line := range []string{"metadata validate-tools -d nowhere", "upgrade-path --source nowhere --agent-version 1.22 --client-version 1.24"} {
		if code, _, _ := clitest.Run(t, data, line); code != clitest.Failed {
			t.Errorf("%s: exit %d", line, code)
		}
	}
	if _, err := os.Stat(filepath.Join(data, "vendor")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key was made: %v", err)
	}
}
