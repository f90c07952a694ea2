package tools_test

import (
	"testing"

	"github.com/jujube-project/jujube/cli/clitest"
)

func TestScripts(t *testing.T) { clitest.Scripts(t) }
