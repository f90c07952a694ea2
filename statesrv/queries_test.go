package statesrv

import (
	"testing"

	"github.com/jujube-project/jujube/events/wire"
)

// A client may ask every question that package wire declares.
func TestEveryQuestionHasAnAnswer(t *testing.T) {
	answers := (&queries{}).answers()
	for _, q := range wire.Questions {
		if _, ok := answers[q.QuestionName()]; !ok {
			t.Errorf("nobody answers %q", q.QuestionName())
		}
	}
	if len(answers) != len(wire.Questions) {
		t.Errorf("there are %d answers to %d questions", len(answers), len(wire.Questions))
	}
}
