package agent

import (
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install/crashfs"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/warrant"
)

// A machine that runs a state server knows that by itself. It obeys who has the role
// control-plane, and not who may operate on every other machine, whatever a state server says.
func TestB03AStateServerAsksForTheControlPlane(t *testing.T) {
	for name, c := range map[string]struct {
		roles  []string
		labels map[string]string // of the grants
		server bool
		want   string
	}{
		"operate, elsewhere":               {[]string{events.RoleOperate}, nil, false, ""},
		"operate, on a state server":       {[]string{events.RoleOperate}, nil, true, events.CodeRequestScope},
		"control plane, elsewhere":         {[]string{events.RoleControlPlane}, nil, false, events.CodeRequestScope},
		"control plane, on a state server": {[]string{events.RoleControlPlane}, nil, true, ""},
		"both":                             {[]string{events.RoleOperate, events.RoleControlPlane}, nil, true, ""},
		"control plane of another rack":    {[]string{events.RoleControlPlane}, map[string]string{"rack": "b"}, true, events.CodeRequestScope},
		"control plane of this rack":       {[]string{events.RoleControlPlane}, map[string]string{"rack": "a"}, true, ""},
		"the admin of before":              {[]string{events.RoleAdmin}, nil, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			roster := lawOf3().Trust.Roster()
			roster.Operators[0].Grants = nil
			for _, role := range c.roles {
				g, err := events.GrantOf(role, c.labels)
				if err != nil {
					t.Fatal(err)
				}
				roster.Operators[0].Grants = append(roster.Operators[0].Grants, g)
			}
			s := newSite(t, "site", lawTime)
			s.must(s.repo.SetJSON(lawTime.Add(year), tuf.FileOperators, roster))
			_, err := s.repo.Sign(tuf.Targets, siteKey("site/targets"))
			s.must(err)
			a := testAgent(t, &s.fakeBus)
			a.cfg.StateServer, a.cfg.Conf.Labels, a.cfg.Now = c.server, map[string]string{"rack": "a"}, func() time.Time { return lawTime }
			a.trust = s.reader(emptyDisk(t, crashfs.Ext4), a.cfg.Now).trust
			a.trust.published(s.publish("site", lawTime))
			law, _ := a.law(t.Context())
			_, refused := law.Units([]events.UnitSpec{unit(t, "web/0", "q1", "serve")}, nil, map[string]time.Time{})
			got := ""
			for _, r := range refused {
				got = r.Code
				if c.server && !strings.Contains(r.Text, "a state server") && c.labels == nil {
					t.Errorf("it does not say why: %s", r.Text)
				}
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// No host becomes a state server by the labels that it was invited with.
func TestB03NobodyClaimsTheControlPlane(t *testing.T) {
	olga := events.Operator{Name: "olga", Grants: []events.Grant{{Role: events.RoleOperate}}}
	claims := map[string]string{events.ControlPlane: "true", "env": "prod"}
	for server, want := range map[bool]string{false: "", true: events.CodeRequestScope} {
		m := warrant.Machine{ID: "3", Labels: events.LabelsOf(claims, server)}
		if got := events.CodeOf(warrant.May(olga, events.ActionDeploy, []warrant.Machine{m})); got != want || m.Labels["env"] != "prod" {
			t.Errorf("a state server %v: %q, want %q; %v", server, got, want, m.Labels)
		}
	}
	if len(claims) != 2 {
		t.Errorf("the labels of the invitation changed: %v", claims)
	}
}
