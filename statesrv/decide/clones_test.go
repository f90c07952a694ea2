package decide

import (
	"fmt"
	"testing"
)

// The table of what is a clone and what is not (BI-67). A step is INSTANCE and what it says
// back: "-" nothing, "=" what it was told last, "<" what it was told before that.
func TestBI67ClonesAndWhatIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		steps []string
		clone bool
	}{
		"one that lives":                    {[]string{"a-", "a=", "a=", "a="}, false},
		"a restart":                         {[]string{"a-", "a=", "b-", "b=", "b="}, false},
		"a crash loop":                      {[]string{"a-", "b-", "c-", "d-", "e-", "f-", "f=", "f="}, false},
		"what the dead one sent comes late": {[]string{"a-", "a=", "b-", "a=", "b=", "b="}, false},
		"and comes twice":                   {[]string{"a-", "a=", "b-", "a=", "a<", "b="}, false},
		"an upgrade, undone":                {[]string{"a-", "a=", "b-", "b=", "c-", "c=", "c="}, false},
		"a lost answer":                     {[]string{"a-", "a<", "a=", "a="}, false},
		"an instance without memory of what was told": {[]string{"a-", "b-", "a-", "b-", "a-"}, false},
		"two that live":                  {[]string{"a-", "b-", "a-", "a="}, true},
		"two that live, as agents greet": {[]string{"a-", "a=", "b-", "b=", "a=", "a="}, true},
		"three":                          {[]string{"a-", "b-", "c-", "b-", "b="}, true},
		"an old one, after a crash loop of the new": {[]string{"a-", "b-", "c-", "a-", "d-", "a="}, true},
	} {
		t.Run(name, func(t *testing.T) {
			clones, told, found := Clones{}, map[string][]string{}, false
			for i, step := range c.steps {
				instance, echo := step[:1], ""
				switch before := told[instance]; {
				case step[1:] == "=" && len(before) > 0:
					echo = before[len(before)-1]
				case step[1:] == "<" && len(before) > 1:
					echo = before[len(before)-2]
				}
				e, clone := clones.Beat("3", instance, echo, fmt.Sprintf("nonce-%d", i))
				told[instance] = append(told[instance], e.Nonce)
				found = found || clone
			}
			if found != c.clone {
				t.Errorf("clone: %v, want %v", found, c.clone)
			}
		})
	}
}
