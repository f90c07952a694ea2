package machines_test

import (
	"testing"

	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

func TestScripts(t *testing.T) { clitest.Scripts(t, servers.ForScripts) }
