"""What the trials show, one question a file: DataFrame -> frozen result. No torch, no SQL, no drawing."""
