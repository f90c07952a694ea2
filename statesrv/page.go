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

// templates are the pages. html/template escapes every value for HTML. The function text also
// removes what an escaped value could still do to the display: control characters, and Unicode
// marks that change the direction of writing.
var templates = template.Must(template.New("").Funcs(template.FuncMap{"text": plain.Text}).ParseFS(web, "web/*.html"))

// static are the style sheet and the script that the pages load.
func static() fs.FS {
	sub, err := fs.Sub(web, "web/static")
	if err != nil {
		panic(err) // it is embedded above
	}
	return sub
}

// page shows the status as HTML.
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

// enter is the page to which a link of juju http-token leads. Its script, which is the only one,
// exchanges the token in the link for a session. So this page alone may run a script and connect
// back to the server.
func (p *pages) enter(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", headers["Content-Security-Policy"]+"; script-src 'self'; connect-src 'self'")
	p.write(w, "enter.html", nil)
}

// write renders a template into memory first, so that an error can still be answered with its
// own status code.
func (p *pages) write(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		p.unavailable(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}
