package bus_test

import (
	"testing"

	"github.com/jujube-project/jujube/bus"
)

// A key that was pasted with something behind it is no key: it would be published, and
// nobody could ever sign with it.
func TestAPublicKeyIsExactlyThat(t *testing.T) {
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	key := id.Public()
	if !bus.IsPublicKey(key) {
		t.Errorf("%s is none", key)
	}
	for _, wrong := range []string{"", key + "X", key + "ZZZ", key[:55], " " + key, key + "\n", "A" + key[1:]} {
		if bus.IsPublicKey(wrong) {
			t.Errorf("%q is one", wrong)
		}
	}
}
