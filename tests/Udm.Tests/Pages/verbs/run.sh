# needs: dmsetup
udm create data --table '0 2048 zero'
