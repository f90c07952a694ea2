package jujube_test

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// decoders are all functions that read what came over the network or out of a file, by
// directory and name, and the Fuzz target that throws anything at them: "DIR Target". A
// reason in brackets stands where there is none.
var decoders = map[string]string{
	"events.strict":                            "events FuzzParseSigned",
	"events/strictjson.Check":                  "events/strictjson FuzzCheck",
	"events.Decode":                            "events FuzzDecode",
	"events/tools/archive.Walk":                "events/tools/archive FuzzWalk",
	"events/tools/simplestreams.ParseIndex":    "events/tools/simplestreams FuzzParse",
	"events/tools/simplestreams.ParseProducts": "events/tools/simplestreams FuzzParse",
	"projections.DecodeSnapshot":               "projections FuzzDecodeSnapshot",
	"projections.foldLate":                     "projections FuzzFold",
	"projections/audit.late":                   "projections FuzzFold",
	"projections/status.Parse":                 "projections/status FuzzParse",
	"projections/status.UnmarshalJSON":         "projections/status FuzzParse",
	"projections/status.writeYAML":             "projections/status FuzzParse",
	"bus/server.LoadAccounts":                  "bus/server FuzzLoadAccounts",
	"bus/server.user":                          "bus/server FuzzLoadAccounts",
	"bus/server.options":                       "(the environment's own token, which LoadAccounts has read)",
	"bus/server.parse":                         "bus/server FuzzAuthority",
	"bus.LoadCredentials":                      "bus FuzzLoadCredentials",
	"bus.ParseIdentity":                        "bus FuzzVerifySignature",
	"bus.parseCertificates":                    "bus FuzzCertificates",
	"bus.ParseJoinToken":                       "bus FuzzParseJoinToken",
	"bus.senderOf":                             "bus FuzzStoredHeaders",
	"events/wire.DecodeSigned":                 "events/wire FuzzOpenEnrolment",
	"bus.request":                              "bus FuzzAnswers",
	"bus.parsePieceHead":                       "bus FuzzPieceHead",
	"bus.parseInfo":                            "bus FuzzStoredHeaders",
	"bus.answer":                               "bus FuzzAnswers",
	"bus.ServeBeats":                           "bus FuzzAnswers",
	"agent.LoadConf":                           "agent FuzzLoadConf",
	"agent.readWorkload":                       "agent FuzzReadWorkload",
	"agent.read":                               "agent FuzzUnits",
	"agent.open":                               "agent FuzzSecrets",
	"agent.ownOf":                              "agent FuzzOwnUsers",
	"agent.runSelfCheck":                       "agent FuzzCheckProgram",
	"agent/install.ReadJournal":                "agent/install FuzzReadJournal",
	"agent/install.Verify":                     "agent/install FuzzMarker",
	"statesrv.LoadFileConfig":                  "statesrv FuzzLoadFileConfig",
	"events/wire.unpack":                       "events/wire FuzzQuestions",
	"events/wire.UnmarshalBinary":              "events/wire FuzzQuestions",
	"streams.read":                             "streams FuzzSeenFile",
	"cli/trust.parseInvitation":                "cli/trust FuzzParseInvitation",
	"cli/app.Load":                             "cli/app FuzzLoadEnvironment",
	"bus.Holder":                               "bus FuzzUserJWT",
	"bus.LifeOf":                               "bus FuzzUserJWT",
	"bus/server.sameClaims":                    "bus/server FuzzLoadAccounts",
	"bus/server.accountClaims":                 "bus/server FuzzLoadAccounts",
	"bus/server.signRevoking":                  "bus/server FuzzLoadAccounts",
	"bus/server.renew":                         "(what NATS has kept on the state server's own disk; jwt checks it, and it is signed by the operator's key)",
	"bus.UpdateAccount":                        "(an account that LoadAccounts has read, and an answer of the system account)",
	"agent.checkProgram":                       "agent FuzzCheckProgram",
	"agent/install.readCopy":                   "agent/install FuzzCopies",
	"statesrv.loadSiteFile":                    "statesrv FuzzSiteFile",
	"agent/network.readJSON":                   "agent/network FuzzFrames",
	"agent/connection.Nonce":                   "(a number and a word; what cannot be read is made anew)",
	"cli/local.readConf":                       "cli/local FuzzConf",
	"events/logcopy.Open":                      "events/logcopy FuzzOpen",
	"events/logcopy.Stored":                    "events/logcopy FuzzOpen",
	"events/bootstrap.decoder":                 "events/bootstrap FuzzTalk",
	"events/tools/tuf.ParseBundle":             "events/tools/tuf FuzzParseBundle",
	"events/tools/tuf.UnmarshalJSON":           "events/tools/tuf FuzzParseBundle",
	"statesrv.operatorOf":                      "(a cookie that this process made: its secret is over the bytes)",
	"events/tools/tuf.inspect":                 "events/tools/tuf FuzzUpdate",
	"events/tools/tuf.readFile":                "events/tools/tuf FuzzUpdate",
	"events/tools/tuf.decode":                  "events/tools/tuf FuzzUpdate",
	"events/tools/tuf.ParseTrusted":            "events/tools/tuf FuzzParseTrusted",
}

// decoding are the functions that turn bytes into things.
var decoding = []string{
	"encoding/json.Unmarshal", "encoding/json.NewDecoder", "encoding/pem.Decode",
	"github.com/goccy/go-yaml.Unmarshal", "github.com/goccy/go-yaml.UnmarshalWithOptions", "github.com/goccy/go-yaml.NewDecoder",
	"compress/gzip.NewReader", "archive/tar.NewReader", "github.com/klauspost/compress/zstd.NewReader", "debug/elf.Open",
	"github.com/nats-io/jwt/v2.ParseDecoratedJWT", "github.com/nats-io/jwt/v2.ParseDecoratedUserNKey",
	"github.com/nats-io/jwt/v2.DecodeOperatorClaims", "github.com/nats-io/jwt/v2.DecodeAccountClaims", "github.com/nats-io/jwt/v2.DecodeUserClaims",
	"github.com/nats-io/nkeys.FromSeed",
}

// onlyForTests are packages that the product does not link: what they read they wrote.
var onlyForTests = []string{
	"bus/bustest", "bus/logtest", "bus/memlog", "bus/yardstick", "agent/install/crashfs", "projections/scenario", "events/gen", "sim…", "cli/clitest…",
}

func TestLawOfDecoders(t *testing.T) { hold(t, lawOfDecoders(decoders)) }

// lawOfDecoders: a function that decodes stands in the table with its Fuzz target.
func lawOfDecoders(table map[string]string) law {
	return func(tr *tree) (found []breach) {
		decodes, targets := map[string]bool{}, map[string]bool{}
		for _, s := range tr.sources {
			for _, d := range s.file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if s.test && strings.HasPrefix(f.Name.Name, "Fuzz") {
					targets[s.pkg+" "+f.Name.Name] = true
				}
				if name := s.pkg + "." + f.Name.Name; isProduct(s) && len(namedIn(s, f, decoding)) > 0 {
					decodes[name] = true
					if table[name] == "" {
						found = append(found, breach{s.at(f), "decodes what others may have written, and no Fuzz target throws anything at it: " +
							"write one, and name it in decoders as " + name + ", or say there, in brackets, why it needs none"})
					}
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(table)) {
			if !decodes[name] {
				found = append(found, breach{name, "decodes nothing (any more): take it out of decoders"})
			}
			if target := table[name]; !strings.HasPrefix(target, "(") && !targets[target] {
				found = append(found, breach{name, "stands in decoders with a Fuzz target that there is not: " + target})
			}
		}
		return found
	}
}

func isProduct(s source) bool {
	return !s.test && !matchesAny(s.pkg, onlyForTests) && !strings.HasPrefix(s.name, "sim/")
}
