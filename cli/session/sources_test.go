package session

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
)

// fieldsOf are the fields of a request, each as parent.child; what is in a list, a map or a
// value that writes itself is part of it.
func fieldsOf(of reflect.Type, parent string) (fields []string) {
	marshaler := reflect.TypeFor[json.Marshaler]()
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		part := f.Type.Kind() == reflect.Pointer && f.Type != reflect.TypeFor[*events.MachineList]() && !f.Type.Implements(marshaler)
		if part {
			fields = append(fields, fieldsOf(f.Type.Elem(), parent+name+".")...)
		} else {
			fields = append(fields, parent+name)
		}
	}
	return fields
}

// Every field of every request comes from somewhere. There is no word for what a state server said
// unseen: nothing comes from there.
func TestEveryFieldOfARequestComesFromSomewhere(t *testing.T) {
	known := []source{made, pinned, typed, metadata, record, shown}
	from := map[string]source{}
	for _, part := range append(slices.Collect(maps.Values(sources)), everyAsk, letsRun) {
		for field, s := range part {
			if _, twice := from[field]; twice || !slices.Contains(known, s) {
				t.Errorf("%s comes from %q, and twice: %v", field, s, twice)
			}
			from[field] = s
		}
	}
	fields := fieldsOf(reflect.TypeFor[events.Ask](), "")
	for _, f := range fields {
		if from[f] == "" {
			t.Errorf("%s comes from nowhere", f)
		}
	}
	for f := range from {
		if !slices.Contains(fields, f) {
			t.Errorf("%s is no field of a request", f)
		}
	}
	for action := range events.Actions {
		if len(sources[action]) == 0 {
			t.Errorf("of a request for %s nothing is said", action)
		}
	}
}
