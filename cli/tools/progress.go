package tools

import (
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools"
)

// bars shows how far archives have come: a bar for each on a terminal, else a line when
// one is done, and nothing with --quiet.
type bars struct {
	app   *app.App
	shown *mpb.Progress // nil: no terminal
}

func newBars(a *app.App) *bars {
	b := &bars{app: a}
	if f, ok := a.Stderr.(*os.File); ok && !a.Quiet && !a.Debug && isTerminal(f) {
		b.shown = mpb.New(mpb.WithOutput(f), mpb.WithAutoRefresh())
	}
	return b
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// progress is one archive's bar. Its methods may be called when there is none.
type progress struct {
	bar  *mpb.Bar
	size int64
}

// add begins an archive whose bytes pass through a number of steps.
func (b *bars) add(t tools.Tools, steps int64) progress {
	p := progress{size: t.Size}
	if b.shown == nil {
		b.app.Say("copying %s (%s)", t.Version, app.Bytes(t.Size))
		return p
	}
	p.bar = b.shown.AddBar(steps*t.Size,
		mpb.PrependDecorators(decor.Name(t.Version.String()+" ")),
		mpb.AppendDecorators(decor.Percentage(), decor.AverageSpeed(decor.SizeB1024(0), " % .1f")))
	return p
}

// step tells how many bytes have passed through one of the steps.
func (p progress) step(n int64) func(int64) {
	return func(done int64) {
		if p.bar != nil {
			p.bar.SetCurrent(n*p.size + done)
		}
	}
}

// end leaves the bar as it stands, when the archive did not come to its end.
func (p progress) end() {
	if p.bar != nil {
		p.bar.Abort(false)
	}
}

// wait draws what is left to draw.
func (b *bars) wait() {
	if b.shown != nil {
		b.shown.Wait()
	}
}
