namespace Udm.Reports;

/// <summary>A column that a report may have.</summary>
/// <typeparam name="T">What its rows tell of.</typeparam>
/// <param name="Group">Its group: <c>GROUP_all</c> asks for all columns of the group.</param>
/// <param name="Id">Its word; underscores and case do not matter to who asks for it.</param>
/// <param name="Heading">What stands above it.</param>
/// <param name="Width">Its least width in characters, and the greatest of the heading where no value is wider.</param>
/// <param name="IsNumber">Whether it is aligned to the right, and sorted as a number.</param>
/// <param name="Value">Its value for a row.</param>
/// <param name="Description">What it tells, for the list of columns.</param>
internal sealed record Column<T>(string Group, string Id, string Heading, int Width, bool IsNumber, Func<T, string> Value, string Description);
