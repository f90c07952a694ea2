package session

import "testing"

// What a state server answers to a command's questions.
func FuzzDecodeAnswer(f *testing.F) {
	f.Add([]byte(`{"tools":[],"problems":[]}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var answer map[string]any
		_ = Decode(b, &answer)
	})
}
