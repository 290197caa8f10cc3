: # only the current folder
