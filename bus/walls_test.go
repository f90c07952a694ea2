package bus_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/bustest"
)

// deny lists what would be an attack on the log, on requests or on another machine, each
// with its id in the list of bad inputs.
var deny = []struct{ id, subject string }{
	{"BI-71", "log.environment"},
	{"BI-71", "log.order.machine-3.agent"},
	{"BI-71", "live.environment"},
	{"BI-71", "requests.UVICTIM.x"},
	{"BI-75", "report.machine-4"},
	{"BI-75", "beat.machine-4"},
	{"BI-72", "$JS.API.CONSUMER.MSG.NEXT.LOG.x"},
	{"BI-73", "$JS.API.CONSUMER.CREATE.LOG.x.log.>"},
	{"BI-73", "$JS.API.CONSUMER.CREATE.REQUESTS"},
	{"BI-73", "$JS.API.CONSUMER.DURABLE.CREATE.REQUESTS.x"},
	{"BI-74", "$JS.API.CONSUMER.DURABLE.CREATE.LOG.machine-4"},
	{"BI-74", "$JS.API.CONSUMER.CREATE.LOG.machine-4.log.order.machine-4.agent"},
	{"BI-74", "$JS.API.CONSUMER.DELETE.LOG.machine-4"},
	{"BI-75", "$JS.ACK.LOG.machine-4.1.1.1.1.0"},
	{"BI-75", "$JS.API.DIRECT.GET.LOG.log.order.machine-4.agent"},
	{"BI-75", "$JS.API.STREAM.MSG.GET.LOG"},
	{"BI-77", "$JS.API.STREAM.DELETE.LOG"},
	{"BI-77", "$JS.API.STREAM.UPDATE.LOG"},
	{"BI-77", "$JS.API.STREAM.PURGE.LOG"},
	{"BI-77", "$JS.API.STREAM.MSG.DELETE.LOG"},
	{"BI-77", "$JS.API.STREAM.SNAPSHOT.LOG"},
	{"BI-77", "$JS.API.STREAM.RESTORE.LOG"},
	{"BI-77", "$JS.API.STREAM.DELETE.REQUESTS"},
	{"BI-77", "$JS.API.STREAM.UPDATE.REQUESTS"},
	{"BI-77", "$JS.API.STREAM.PURGE.REQUESTS"},
	{"BI-77", "$JS.API.STREAM.MSG.DELETE.REQUESTS"},
	{"BI-77", "$JS.API.STREAM.LEADER.STEPDOWN.LOG"},
	{"BI-77", "$JS.API.META.LEADER.STEPDOWN"},
	{"BI-77", "$O.tools.C.x"},
	{"BI-77", "$O.tools.M.x"},
	{"BI-77", "$KV.lease.leader"},
	{"BI-77", "$SYS.REQ.SERVER.PING"},
	{"BI-77", "$JS.API.STREAM.CREATE.MINE"},
	{"BI-77", "$JS.API.STREAM.DELETE.OBJ_tools"},
	{"BI-77", "$JS.API.STREAM.DELETE.KV_lease"},
}

// may is what of deny a role is there to do.
var may = map[string][]string{
	"state server": {
		"log.environment", "log.order.machine-3.agent", "requests.UVICTIM.x", "$O.tools.C.x", "$O.tools.M.x", "$KV.lease.leader",
		"$JS.API.DIRECT.GET.LOG.log.order.machine-4.agent",
	},
}

func TestForbiddenPublishes(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *bustest.Bus{"embedded": bustest.Start, "separate": bustest.StartProcess} {
		t.Run(name, func(t *testing.T) { forbiddenPublishes(t, start(t)) })
	}
}

func forbiddenPublishes(t *testing.T, b *bustest.Bus) {
	for role, sign := range map[string]func(string) (string, error){
		"agent": agentRole(b, "machine-3"), "operator": operatorRole(b), "reader": readerRole(b), "state server": stateServerRole(b),
	} {
		nc, id, denied := raw(t, b, sign)
		attacks := deny
		if role == "reader" {
			attacks = append(slices.Clone(deny), []struct{ id, subject string }{{"role read", "requests." + id.Public() + ".x"}, {"role read", "upload.abc"}}...)
		}
		for _, a := range attacks {
			if slices.Contains(may[role], a.subject) {
				continue
			}
			if err := errors.Join(nc.Publish(a.subject, []byte("x")), nc.Flush()); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-denied:
				if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), a.subject) {
					t.Errorf("%s: %s publishes to %s: %v, want a permission violation", a.id, role, a.subject, err)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("%s: %s may publish to %s", a.id, role, a.subject)
			}
		}
	}
	if last, err := b.Operator("bob").Log().Last(t.Context()); err != nil || last != 0 {
		t.Fatalf("the log ends at %d, %v; want 0", last, err)
	}
}

func TestForbiddenSubscriptions(t *testing.T) {
	b := bustest.Start(t)
	for role, subjects := range map[string][]string{
		"agent": {
			">", "live.>", "live.order.machine-4.agent", "live.order.*.agent", "_R_.live.>", "_R_.live.order.machine-4.agent", "_R_.live.unit",
			"report.*", "_INBOX.>", "requests.>", "$SYS.>",
		},
		"operator": {">", "log.>", "requests.>", "report.*", "query.*", "_INBOX.>", "enrol", "$SYS.>", "$KV.>"},
		"reader":   {">", "log.>", "requests.>", "report.*", "query.*", "_INBOX.>", "enrol", "$SYS.>", "$KV.>"},
		"state":    {">", "log.>", "_INBOX.>", "$SYS.>", "$JS.API.>", "_R_.>"},
	} {
		t.Run(role, func(t *testing.T) {
			sign := map[string]func(string) (string, error){
				"agent": agentRole(b, "machine-3"), "operator": operatorRole(b), "reader": readerRole(b), "state": stateServerRole(b),
			}[role]
			nc, _, denied := raw(t, b, sign)
			for _, subject := range subjects {
				if _, err := nc.SubscribeSync(subject); err != nil {
					t.Fatal(err)
				}
				if err := nc.Flush(); err != nil {
					t.Fatal(err)
				}
				mustDeny(t, denied, "subscribe to "+subject)
			}
		})
	}
}

// A reply subject is not checked against permissions: within one account an agent could
// let the server write anywhere in its name. Nothing of it may reach CONTROL.
func TestBI71ReplySubjectsReachNothing(t *testing.T) {
	b := bustest.Start(t)
	log := b.StateServer().Log()
	if _, err := log.Append(t.Context(), 0, setting(t, "a")); err != nil {
		t.Fatal(err)
	}
	victim, _, _ := raw(t, b, agentRole(b, "machine-4"))
	heard, err := victim.SubscribeSync("live.order.machine-4.agent")
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Flush(); err != nil {
		t.Fatal(err)
	}
	nc, id, _ := raw(t, b, agentRole(b, "machine-3"))
	for _, reply := range []string{"log.environment", "log.order.machine-4.agent", "requests.X.y", "report.machine-4", "$O.tools.C.x"} {
		for _, subject := range []string{"$JS.API.DIRECT.GET.LOG.log.order.machine-3.agent", "report.machine-3", "$JS.API.DIRECT.GET.OBJ_tools"} {
			if err := nc.PublishRequest(subject, reply, []byte(`{"seq":1,"batch":1}`)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A round trip on the same connection: what came before it was handled.
	if _, err := nc.Request("$JS.API.DIRECT.GET.LOG.log.order.machine-3.agent", nil, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if last, err := log.Last(t.Context()); err != nil || last != 1 {
		t.Fatalf("the log ends at %d, %v; want 1: %s wrote into it", last, err, id.Public())
	}
	if err := victim.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := heard.Pending(); err != nil || n != 0 {
		t.Fatalf("machine-4 heard %d messages, %v; want none", n, err)
	}
}
