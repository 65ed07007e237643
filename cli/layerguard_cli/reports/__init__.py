"""Reports: what an audit found, in the formats that ``formats`` lists."""
