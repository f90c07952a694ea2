package decide

import (
	"testing"
	"time"
)

func TestSilenceAndReturn(t *testing.T) {
	k := newDesk(t)
	heard := Heard{Since: judged.Add(-time.Minute), Last: map[string]time.Time{"0": judged, "2": judged}}
	k.decided(Pass(k.at(), heard))
	k.want("machine.lost/1")
	k.decided(Pass(k.at(), heard))
	k.want("machine.lost/1")
	heard.Last["1"] = judged
	k.decided(Pass(k.at(), heard))
	k.want("machine.lost/1 machine.returned/1")
}

func TestAnOrderThatNobodyTakesUpTimesOut(t *testing.T) {
	k := newDesk(t)
	k.order("o1")
	k.now = judged.Add(30 * time.Minute)
	k.decided(Pass(k.at(), Heard{Since: k.now}))
	k.want("order.issued/1")
	k.now = judged.Add(2 * time.Hour)
	k.decided(Pass(k.at(), Heard{Since: k.now}))
	k.want("order.issued/1 order.timed_out/1")
}
