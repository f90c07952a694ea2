package statesrv

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"

	"github.com/jujube-project/jujube/projections/plain"
	"github.com/jujube-project/jujube/projections/status"
)

//go:embed web
var web embed.FS

// maxRows is how many machines, and how many units, the page shows.
const maxRows = 500

// view is what the page shows.
type view struct {
	status.Status
	Rows  status.Map[status.Machine] // the first machines
	Units status.Map[status.Unit]    // the first units, of all services
}

func viewOf(st status.Status) view {
	v := view{Status: st, Rows: st.Machines[:min(len(st.Machines), maxRows)]}
	for _, s := range st.Services {
		v.Units = append(v.Units, s.Value.Units[:min(len(s.Value.Units), maxRows-len(v.Units))]...)
	}
	return v
}

// The templates escape for HTML by themselves; "text" takes out what a page could be made
// to show wrongly all the same: control characters, and marks that turn the direction.
var templates = template.Must(template.New("").Funcs(template.FuncMap{"text": plain.Text}).ParseFS(web, "web/*.html"))

// static are the files that the pages load.
func static() fs.FS {
	sub, err := fs.Sub(web, "web/static")
	if err != nil {
		panic(err) // it is embedded above
	}
	return sub
}

func (p *pages) page(w http.ResponseWriter, r *http.Request) {
	answer, err := p.s.statusNow(r.Context())
	if err != nil {
		p.unavailable(w, err)
		return
	}
	st, err := status.Parse(answer)
	if err != nil {
		p.unavailable(w, err)
		return
	}
	p.write(w, "status.html", viewOf(st))
}

// enter is where a link with a token leads. It runs the only script there is.
func (p *pages) enter(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", headers["Content-Security-Policy"]+"; script-src 'self'; connect-src 'self'")
	p.write(w, "enter.html", nil)
}

func (p *pages) write(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		p.unavailable(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}
