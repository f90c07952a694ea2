// Package clitest is what the tests of juju's commands share. The tests of each family of commands
// use it from a package of their own, so that the families are tested in parallel: Run runs juju
// in the test program, Scripts runs testdata/script/*.txtar with the real juju and jujud.
//
// What needs nats-server in the test program is in clitest/servers. Only tests import both.
package clitest
