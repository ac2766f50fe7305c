echo mounted > /mounted
