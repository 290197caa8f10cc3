# not run: it installs the program, a package and a container; PackageTests look into the package
