package session_test

import (
	"testing"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
)

func TestUnreachableEnvironments(t *testing.T) {
	c := servers.NewClient(t)
	a := clitest.In(c.Data)
	for _, e := range []struct {
		env   app.Environment
		texts []string
	}{
		{
			app.Environment{Name: "unfinished", UUID: "u", Machines: []app.Machine{{ID: "0", DataDir: "/nowhere"}}},
			[]string{"its bootstrap did not get to its end", "Next:  juju destroy-environment unfinished"},
		},
		{app.Environment{Name: "keyless", UUID: "u", URLs: c.Bus.URLs}, []string{"keyless.creds", "Nothing was asked"}},
	} {
		if err := a.Store().Add(e.env); err != nil {
			t.Fatal(err)
		}
		code, said := c.Juju("status -e "+e.env.Name, "", nil)
		c.MustSay(code, clitest.Failed, said, e.texts...)
		code, said = c.Juju("set-env a=b -e "+e.env.Name, "", nil)
		c.MustSay(code, clitest.Failed, said, e.texts...)
	}
	code, said := c.Juju("destroy-environment unfinished -e unfinished --yes", "", nil)
	c.MustSay(code, clitest.OK, said)
}
