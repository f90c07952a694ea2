package machines_test

import (
	"testing"

	"github.com/jujube-project/jujube/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m) }

func TestScripts(t *testing.T) { clitest.Scripts(t) }
