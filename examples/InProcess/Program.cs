using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

using DeviceRegistry registry = new();
MappedDevice disk = registry.Create("disk", "0 2048 linear mem:1M 0");
BufferSegment memory = BufferPool.Rent(4096);
BioBuffer block = new(memory.Address, memory.Length);
"written by the first table"u8.CopyTo(memory.Span);
Console.WriteLine(BlockingIo.Write(disk, new Sector(8), block));
disk.LoadTable("0 1000 zero\n1000 2048 linear mem:1M 0"); // the same memory, further back
disk.Resume();
memory.Span.Clear();
Console.WriteLine(BlockingIo.Read(disk, new Sector(1008), block));
Console.WriteLine(Encoding.UTF8.GetString(memory.Span[..26]));
