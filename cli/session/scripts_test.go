package session_test

import (
	"testing"

	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
)

func TestScripts(t *testing.T) { clitest.Scripts(t, servers.ForScripts) }
