// Package clitest is what the tests of juju's commands share. Tests of every family use it,
// so that the families are tested as parallel packages: Run and Client run juju in this
// process, Scripts runs testdata/script/*.txtar with the real juju and jujud.
//
// Only tests import it.
package clitest
