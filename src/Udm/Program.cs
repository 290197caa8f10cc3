Console.Error.WriteLine("udm: not built yet");
return 1;
