package strictjson_test

import (
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events/strictjson"
)

// Each row is a document, and what is said against it: by the rules of requests, whose keys are
// fields, and by those of metadata, whose keys are names of files too.
func TestB28StrictJSON(t *testing.T) {
	fields := strictjson.Rules{Depth: 4, Null: true, Fields: true, Maps: []string{"env"}}
	names := strictjson.Rules{Depth: 4}
	for name, c := range map[string]struct{ document, fields, names string }{
		"plain":                         {`{"id":"r1","n":-3,"list":[{"a_1":true}]}`, "", ""},
		"a key twice":                   {`{"id":"r1","id":"r2"}`, "stands twice", "stands twice"},
		"a key twice, in another case":  {`{"id":"r1","ID":"r2"}`, "no name of a field", "stands twice"},
		"a key in another case alone":   {`{"ID":"r2"}`, "no name of a field", ""},
		"a key twice, escaped":          {`{"id":"r1","\u0069d":"r2"}`, "stands twice", "stands twice"},
		"a key with a long s":           {`{"size":1,"ſize":2}`, "no name of a field", "stands twice"},
		"a key with the sign of Kelvin": {`{"key":1,"Key":2}`, "no name of a field", "stands twice"},
		"a key twice, below":            {`{"list":[{"a":1,"a":2}]}`, "stands twice", "stands twice"},
		"an empty key":                  {`{"":1}`, "no name of a field", ""},
		"two variables":                 {`{"env":{"http_proxy":"a","HTTP_PROXY":"b"}}`, "", "stands twice"},
		"a variable twice":              {`{"env":{"A":"a","A":"b"}}`, "stands twice", "stands twice"},
		"fields below a variable":       {`{"env":{"A":{"B":1}}}`, "no name of a field", ""},
		"no UTF-8":                      {"{\"id\":\"\xff\"}", "not UTF-8", "not UTF-8"},
		"a fraction":                    {`{"n":1.5}`, "no 64-bit integer", "no 64-bit integer"},
		"a number that is too big":      {`{"n":9223372036854775808}`, "no 64-bit integer", "no 64-bit integer"},
		"null":                          {`{"list":null}`, "", "null stands in it"},
		"as deep as may be":             {`[[[[1]]]]`, "", ""},
		"deeper":                        {`[[[[[1]]]]]`, "nested deeper", "nested deeper"},
		"something behind it":           {`{} {}`, "behind its end", "behind its end"},
		"cut short":                     {`{"id":`, "not JSON", "not JSON"},
		"nothing":                       {``, "not JSON", "not JSON"},
	} {
		for rules, want := range map[*strictjson.Rules]string{&fields: c.fields, &names: c.names} {
			err := rules.Check([]byte(c.document))
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s, fields %v: %v, want %q", name, rules.Fields, err, want)
			}
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"id":"r1","env":{"A":"b"},"list":[1,null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = strictjson.Rules{Depth: 8, Null: true, Fields: true, Maps: []string{"env"}}.Check(b)
	})
}
