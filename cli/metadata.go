package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/statesrv/streams"
)

func (a *App) metadataCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "metadata", Short: "Build and check trees of tools",
		Long:    "Build and check simplestreams trees of tools, for juju sync-tools --source and for mirrors.",
		Example: "  juju metadata generate-tools -d /media/stick",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("juju metadata has no command %q; juju help metadata lists them", args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(a.generateToolsCommand(), a.validateToolsCommand())
	return cmd
}

func (a *App) generateToolsCommand() *cobra.Command {
	var dir, stream string
	var clean bool
	cmd := &cobra.Command{
		Use: "generate-tools -d DIR", Short: "Build or refresh the metadata of a tree of tools", Args: cobra.NoArgs,
		Long: `Read the archives in DIR/tools/STREAM, named juju-NUMBER-SERIES-ARCH.tgz, and write the
metadata that lists them, in the layout that Juju 1.25 publishes. Every archive is checked
first; if one is bad, nothing is written. Doing it again changes nothing.`,
		Example: "  juju metadata generate-tools -d /media/stick\n  juju metadata generate-tools -d /srv/mirror --stream devel --clean",
		RunE: func(*cobra.Command, []string) error {
			if dir == "" {
				return usage("-d names the directory")
			}
			g, err := streams.Generate(dir, stream, clean, time.Now())
			if err != nil {
				return fail(err, "", "")
			}
			if !g.Changed {
				fmt.Fprintf(a.Stdout, "%d archives of stream %s; the metadata says so already\n", len(g.Found), stream)
				return nil
			}
			for _, f := range g.Found {
				a.say("  %s  %s", f.Version, bytesText(f.Size))
			}
			fmt.Fprintf(a.Stdout, "wrote metadata of %d archives of stream %s in %s\n", len(g.Found), stream, dir)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&dir, "directory", "d", "", "the directory that holds, or will hold, tools/")
	f.StringVar(&stream, "stream", "released", "released, proposed, devel or testing")
	f.BoolVar(&clean, "clean", false, "forget what the index said of other streams")
	return cmd
}

func (a *App) validateToolsCommand() *cobra.Command {
	var dir, stream string
	cmd := &cobra.Command{
		Use: "validate-tools -d DIR", Short: "Check a tree of tools against its metadata", Args: cobra.NoArgs,
		Long:    "Read every archive that the metadata in DIR lists and name every fault at once: missing\nfiles, wrong sizes, wrong hashes, bad archives, malformed entries.",
		Example: "  juju metadata validate-tools -d /media/stick",
		RunE: func(*cobra.Command, []string) error {
			if dir == "" {
				return usage("-d names the directory")
			}
			faults := streams.Validate(dir, stream)
			for _, f := range faults {
				fmt.Fprintln(a.Stdout, f)
			}
			if len(faults) > 0 {
				return fmt.Errorf("%d faults in %s", len(faults), dir)
			}
			fmt.Fprintf(a.Stdout, "stream %s in %s is in good order\n", stream, dir)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&dir, "directory", "d", "", "the directory that holds tools/")
	f.StringVar(&stream, "stream", "released", "released, proposed, devel or testing")
	return cmd
}
