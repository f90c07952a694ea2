package jujube_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// decoders are all functions that read what came over the network or out of a file, by
// directory and name, and the Fuzz target that throws anything at them: "DIR Target". A
// reason in brackets stands where there is none.
var decoders = map[string]string{
	"events.strict":                            "events FuzzParseSigned",
	"events.readPayload":                       "events FuzzDecode",
	"events/tools/archive.Walk":                "events/tools/archive FuzzWalk",
	"events/tools/simplestreams.ParseIndex":    "events/tools/simplestreams FuzzParse",
	"events/tools/simplestreams.ParseProducts": "events/tools/simplestreams FuzzParse",
	"projections.DecodeSnapshot":               "projections FuzzDecodeSnapshot",
	"projections.foldLate":                     "projections FuzzFold",
	"projections/audit.late":                   "projections FuzzFold",
	"projections/status.Parse":                 "projections/status FuzzParse",
	"projections/status.UnmarshalJSON":         "projections/status FuzzParse",
	"projections/status.writeYAML":             "projections/status FuzzParse",
	"bus.LoadTrust":                            "bus FuzzLoadTrust",
	"bus.user":                                 "bus FuzzLoadTrust",
	"bus.options":                              "(the environment's own token, which LoadTrust has read)",
	"bus.LoadCredentials":                      "bus FuzzLoadCredentials",
	"bus.ParseIdentity":                        "bus FuzzVerifySignature",
	"bus.parseCertificates":                    "bus FuzzCertificates",
	"bus.parse":                                "bus FuzzCertificates",
	"bus.ParseJoinToken":                       "bus FuzzParseJoinToken",
	"bus.openEnrolment":                        "bus FuzzOpenEnrolment",
	"bus.parsePieceHead":                       "bus FuzzPieceHead",
	"bus.parseInfo":                            "bus FuzzStoredHeaders",
	"bus.answer":                               "bus FuzzAnswers",
	"bus.Enrol":                                "bus FuzzAnswers",
	"bus.Report":                               "bus FuzzAnswers",
	"bus.ServeBeats":                           "bus FuzzAnswers",
	"agent.LoadConf":                           "agent FuzzLoadConf",
	"agent.readWorkload":                       "agent FuzzReadWorkload",
	"agent.load":                               "events FuzzDecode",
	"agent.runSelfCheck":                       "agent FuzzCheckProgram",
	"agent/install.ReadJournal":                "agent/install FuzzReadJournal",
	"agent/install.Verify":                     "agent/install FuzzMarker",
	"statesrv.LoadFileConfig":                  "statesrv FuzzLoadFileConfig",
	"statesrv.answerCheck":                     "statesrv FuzzQueryBody",
	"streams.read":                             "streams FuzzSeenFile",
	"cli.parseInvitation":                      "cli FuzzParseInvitation",
	"cli/app.Load":                             "cli/app FuzzLoadEnvironment",
	"cli/session.Decode":                       "cli/session FuzzDecodeAnswer",
	"cli.askDigest":                            "cli/session FuzzDecodeAnswer",
	"bus.openRenewal":                          "bus FuzzOpenRenewal",
	"bus.Holder":                               "bus FuzzUserJWT",
	"bus.LifeOf":                               "bus FuzzUserJWT",
	"bus.Renew":                                "bus FuzzAnswers",
	"bus.Greet":                                "bus FuzzAnswers",
	"bus.revoke":                               "bus FuzzLoadTrust",
	"bus.UpdateAccount":                        "(an account that LoadTrust has read, and an answer of the system account)",
	"agent.checkProgram":                       "agent FuzzCheckProgram",
	"agent/install.readCopy":                   "agent/install FuzzCopies",
	"statesrv.answerLogProof":                  "(a number, checked against the size of the tree)",
	"statesrv.answerStage":                     "statesrv FuzzQueryBody",
	"statesrv.answerResolve":                   "statesrv FuzzQueryBody",
	"statesrv.loadSiteFile":                    "statesrv FuzzSiteFile",
	"cmd/jujud.nonceOf":                        "(a number and a word; what cannot be read is made anew)",
	"events/tools/tuf.ParseBundle":             "events/tools/tuf FuzzParseBundle",
	"events/tools/tuf.walk":                    "events/tools/tuf FuzzParseBundle",
	"events/tools/tuf.inspect":                 "events/tools/tuf FuzzUpdate",
	"events/tools/tuf.readFile":                "events/tools/tuf FuzzUpdate",
	"events/tools/tuf.ParseTrusted":            "events/tools/tuf FuzzParseTrusted",
}

// decoding are the calls that turn bytes into things.
var decoding = []string{
	"json.Unmarshal", "json.NewDecoder", "yaml.Unmarshal", "yaml.UnmarshalWithOptions", "yaml.NewDecoder", "gzip.NewReader", "tar.NewReader",
	"zstd.NewReader", "jwt.ParseDecoratedJWT", "jwt.ParseDecoratedUserNKey", "jwt.DecodeOperatorClaims", "jwt.DecodeUserClaims", "pem.Decode", "elf.Open", "nkeys.FromSeed",
}

func TestLawOfDecoders(t *testing.T) {
	found := map[string]bool{}
	eachSource(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "sim/") || strings.HasPrefix(path, "cli/demo") || onlyForTests(path) {
			return
		}
		for _, fn := range decodersIn(t, path) {
			found[filepath.Dir(path)+"."+fn] = true
		}
	})
	targets := map[string]bool{}
	eachSource(t, func(path string) {
		inspect(t, path, func(_ token.Position, n ast.Node) {
			if f, ok := n.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Fuzz") && strings.HasSuffix(path, "_test.go") {
				targets[filepath.Dir(path)+" "+f.Name.Name] = true
			}
		})
	})
	for fn := range found {
		if decoders[fn] == "" {
			t.Errorf("%s reads bytes that others may have written, and no Fuzz target throws any at it: write one, and name it in decoders, or say there, in brackets, why it needs none", fn)
		}
	}
	for fn, target := range decoders {
		if !found[fn] {
			t.Errorf("%s decodes nothing (any more): take it out of decoders", fn)
		}
		if !strings.HasPrefix(target, "(") && !targets[target] {
			t.Errorf("%s: there is no Fuzz target %q", fn, target)
		}
	}
}

// onlyForTests are packages that the product does not link.
func onlyForTests(path string) bool {
	return slices.ContainsFunc([]string{"bus/bustest/", "bus/logtest/", "bus/memlog/", "bus/yardstick/", "agent/install/crashfs/", "projections/scenario/", "events/gen/"},
		func(dir string) bool { return strings.HasPrefix(path, dir) })
}

// decodersIn are the functions of a file that call one of decoding.
func decodersIn(t *testing.T, path string) (names []string) {
	t.Helper()
	inspect(t, path, func(_ token.Position, n ast.Node) {
		f, ok := n.(*ast.FuncDecl)
		if !ok {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(decoding, x.Name+"."+sel.Sel.Name) {
					names = append(names, f.Name.Name)
				}
			}
			return true
		})
	})
	slices.Sort(names)
	return slices.Compact(names)
}

func eachSource(t *testing.T, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".go") {
			f(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
